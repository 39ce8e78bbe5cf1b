"""Who signed these bytes: CMS, XML-DSig, OpenPGP; k of n, or one pinned signer of a public CA."""
