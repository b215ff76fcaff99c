-- Lets one GiST index compare a provider for equality and a time range for overlap.
create extension if not exists btree_gist;
