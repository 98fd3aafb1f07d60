"""Azure Batch and Azure Blob Storage on this machine: our Batch endpoint, and Azurite beside it."""
