-- What became of the runs of one version of a flow in a stretch of ids, newest first.
-- Index: runs_flow_version.
SELECT id, project_id, status, created_at, finished_at, steps
FROM runs
WHERE flow_version_id = :flow_version AND id >= :first AND id < :before
ORDER BY id DESC {{limit :limit}}
