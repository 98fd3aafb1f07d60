"""What runs on a compute node. Nothing here imports anything of fastbatch."""
