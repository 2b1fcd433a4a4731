"""The demo region: invented hospitals, people, examinations and the orders that try them."""
