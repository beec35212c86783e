-- Runs without their owners: nobody owns what is restored. Index: runs primary key.
SELECT id, project_id, flow_version_id, status, epoch, steps, created_at, finished_at, deadline,
       wake_at, cancel_requested_at, input, output, error
FROM runs
WHERE id {{in :ids:uuid}}
ORDER BY id
