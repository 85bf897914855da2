-- SQLite has no locks to be taken by name: the local edge keeps the places for heavy work.

INSERT INTO schema_version (version, name) VALUES (15, 'heavy_places') ON CONFLICT DO NOTHING;
