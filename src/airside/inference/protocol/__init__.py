"""Scoring requests and answers on the wire: bytes in, columns out; predictions in, bytes out. No I/O."""
