"""Images: which AMI."""
