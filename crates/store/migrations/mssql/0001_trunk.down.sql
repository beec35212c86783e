-- Takes the trunk away, children first.
DROP TABLE blobs;
DROP TABLE snapshots;
DROP TABLE journal;
DROP TABLE runs;
DROP TABLE servers;
DROP TABLE flow_versions;
DROP TABLE flows;
DROP TABLE projects;
