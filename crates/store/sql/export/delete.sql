-- Removes an export, and its bytes by cascade. Index: exports primary key.
DELETE FROM exports WHERE id = :id AND project_id = :project
