//! estab under the original packetdrill tool.
