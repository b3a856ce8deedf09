"""What do players like? A blind page that compares candidates two by two, and ratings from its votes."""
