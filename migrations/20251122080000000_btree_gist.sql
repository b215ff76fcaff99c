-- GiST indexes need it to compare a provider for equality together with a time range for overlap.
create extension if not exists btree_gist;
