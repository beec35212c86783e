-- Makes a flow of that name unless there is one. Index: flows (project_id, name).
INSERT INTO flows (id, project_id, name, created_at)
VALUES (:id, :project, :name, :created_at)
{{insert_or_nothing project_id, name}}
