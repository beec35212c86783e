-- Makes room for the projects of a backup; there are no flows yet. A scan of projects, which is small.
DELETE FROM projects
