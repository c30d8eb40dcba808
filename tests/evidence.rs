//! What happened: canonical JSON, digests, keys, journals, receipts, verification.
