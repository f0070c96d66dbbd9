CREATE TABLE access_token (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  digest TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT,
  PRIMARY KEY (id)
);

CREATE TABLE audit (
  chain TEXT NOT NULL,
  seq BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  token_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  resource TEXT NOT NULL,
  outcome TEXT NOT NULL,
  digest TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (chain, seq)
);

CREATE INDEX audit_by_resource ON audit (resource, at_ms);

CREATE TABLE event (
  seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  actor TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);

CREATE INDEX event_by_name ON event (name, seq);

CREATE TABLE idempotency (
  actor TEXT NOT NULL,
  "key" TEXT NOT NULL,
  digest TEXT NOT NULL,
  answer TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (actor, "key")
);

CREATE INDEX idempotency_by_age ON idempotency (at_ms);

CREATE TABLE lease (
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  token BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE reaction_cursor (
  reaction TEXT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (reaction)
);

CREATE TABLE reaction_failure (
  reaction TEXT NOT NULL,
  seq BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  error TEXT NOT NULL,
  next_at_ms BIGINT NOT NULL,
  is_dead BOOLEAN NOT NULL,
  PRIMARY KEY (reaction, seq)
);

CREATE TABLE schema_version (
  revision TEXT NOT NULL,
  PRIMARY KEY (revision)
);
