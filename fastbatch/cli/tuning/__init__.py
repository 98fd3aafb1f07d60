"""What `fastbatch tune` asks for, and how it shows what was measured."""
