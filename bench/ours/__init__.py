"""Parts of fastbatch as programs, to be compared with those in bench/peers."""
