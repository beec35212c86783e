-- Takes the order away.
DROP INDEX documents_updated ON documents;
