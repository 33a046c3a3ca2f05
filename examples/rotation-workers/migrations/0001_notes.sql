-- body holds envelopes; so does title, by reference: its data keys are in the Durable Object.
CREATE TABLE notes (
  id TEXT NOT NULL PRIMARY KEY,
  title BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
