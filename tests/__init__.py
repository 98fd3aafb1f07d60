"""Tests of fastbatch; tests/node holds those of the program that runs on the nodes."""
