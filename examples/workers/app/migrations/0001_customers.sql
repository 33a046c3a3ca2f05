-- email and iban hold envelopes.
CREATE TABLE customers (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  email BLOB NOT NULL,
  iban BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
