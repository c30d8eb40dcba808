-- The document of an agent's identifier is asked for by everybody, who do not know whose agent it is.
CREATE INDEX agents_by_id ON agents (id);
