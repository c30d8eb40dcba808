-- How often work was claimed since its journal last grew, and how long the journal was then: work
-- that kills whoever does it is not claimed for ever.
ALTER TABLE work ADD COLUMN seen INTEGER NOT NULL DEFAULT 0 CHECK (seen >= 0);
ALTER TABLE work ADD COLUMN tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0);
