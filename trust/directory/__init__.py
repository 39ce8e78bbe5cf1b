"""What directories say of addresses: whose they are, and whether one may be shown.

Directories enrich and never grant: an open member's address that no directory names is as good as
one that is, and nobody may write because a directory names them. R-D1 to R-D7.
"""
