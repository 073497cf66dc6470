"""The face service: finds faces in frames and reads the expression of the main one as a panel of people would."""
