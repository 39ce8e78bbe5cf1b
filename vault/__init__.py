"""Everything at rest: keys, sealed bodies, the database, the journal."""
