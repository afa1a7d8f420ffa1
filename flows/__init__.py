"""What runs, when and in what order: the stories, the Prefect flows made of them, the command line."""
