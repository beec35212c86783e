-- Takes the content away, children first.
DROP TABLE export_chunks;
DROP TABLE exports;
DROP TABLE agent_executions;
DROP TABLE messages;
DROP TABLE threads;
DROP TABLE document_versions;
DROP TABLE documents;
