DROP TABLE health_probe;
DROP TABLE pending_file;
DROP TABLE demonstration;
ALTER TABLE instrument DROP COLUMN listener_peers;
