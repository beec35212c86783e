-- A new document, whose first version follows. Index: documents primary key, projects primary key.
INSERT INTO documents (id, project_id, type, language, title, version, overall, words, bytes,
                       created_at, updated_at, search_text)
VALUES (:id, :project, :type, :language, :title, :version, :overall, :words, :bytes,
        :created_at, :updated_at, :search_text)
