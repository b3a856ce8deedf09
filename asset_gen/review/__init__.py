"""A person looks, keeps, rejects: a page in the browser on this machine, and its twin that opens from disk."""
