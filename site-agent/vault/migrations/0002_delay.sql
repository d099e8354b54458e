-- Why a job stands still at the moment, apart from why it was answered as it was.
ALTER TABLE jobs ADD COLUMN delay TEXT;    -- code of what keeps it from going on; NULL once it goes on
