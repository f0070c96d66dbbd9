"""Measures, checks, suites and gates: what is a model or a table worth, and how sure is that.

Promises: every figure carries its interval and its n; a verdict is about the interval, never about two bare numbers.
"""
