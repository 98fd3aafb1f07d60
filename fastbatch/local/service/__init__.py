"""The Batch service without its wire: what each operation does, and the engine that moves everything on."""
