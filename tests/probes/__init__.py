"""
Questions that only the real service can answer, one a file; each asserts what the local service takes for the answer.

They run where AZURE_BATCH_ACCOUNT, AZURE_BATCH_ACCESS_KEY and AZURE_BATCH_ENDPOINT name an account, and
FASTBATCH_PROBE_POOL a pool of it with an idle Linux node; without these they are skipped. They make jobs named probe-*
and remove them.
"""
