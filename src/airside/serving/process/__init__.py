"""The serving process: answers predictions over HTTP, follows the control plane, never opens its database.

Promises: an answer comes from files whose digests are the registered ones; a switch of versions loses no request; an
answered request is in the spool, on the disk, within a second, and in the control plane's log once.
"""
