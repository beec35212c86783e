-- Lists in more orders: documents by their last change.
CREATE INDEX documents_updated ON documents (project_id, updated_at, id);
