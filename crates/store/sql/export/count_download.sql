-- One download more, if there is still something to download. Index: exports primary key.
UPDATE exports SET download_count = download_count + 1
WHERE id = :id AND project_id = :project AND status = 'ready' AND expires_at > :now
