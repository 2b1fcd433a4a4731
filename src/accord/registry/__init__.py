"""Who is who: institutions, consortia, QC centres, devices, staff, posts, lists, qualifications."""
