"""The steps of a deployment as functions on Dagger objects; they change no cluster themselves."""
