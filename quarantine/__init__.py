"""What a person must look at before it goes on."""
