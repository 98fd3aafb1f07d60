"""Benchmarks: what each half of fastbatch costs, beside what users would run otherwise."""
