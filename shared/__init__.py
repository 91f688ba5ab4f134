"""What two functions need. It never imports `functions`."""
