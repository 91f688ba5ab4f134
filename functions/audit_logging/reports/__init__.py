"""Reports: what is counted, and what it says as data, in sentences and as a page."""
