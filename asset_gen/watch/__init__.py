"""What has changed in a project, and what must be made again? ``loop.Watch`` does it for hours beside an artist."""
