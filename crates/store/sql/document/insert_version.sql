-- A version of a document; two writers of one number conflict. Index: document_versions primary key.
INSERT INTO document_versions (document_id, version, type, language, title, author, note,
                               restored_from, created_at, hash, bytes, overall, required, quality, body)
VALUES (:id, :version, :type, :language, :title, :author, :note,
        :restored_from, :created_at, :hash, :bytes, :overall, :required, :quality, :body)
