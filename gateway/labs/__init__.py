"""Other ways to the one door in, for laboratories that send by themselves."""
