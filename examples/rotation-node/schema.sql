-- The rows of examples/node. "C": the order of the ids, and with it the pages, is the same in every database.
CREATE TABLE IF NOT EXISTS customers (
  tenant text NOT NULL,
  id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  email bytea NOT NULL, -- an envelope
  iban bytea NOT NULL,  -- an envelope
  PRIMARY KEY (tenant, id)
);
