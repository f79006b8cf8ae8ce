"""A shorter way to write Blender's shader graphs: one call makes a node, sets its inputs and links them."""

from __future__ import annotations

from typing import Any

import bpy


class Graph:
    """The shader of one material.

    `add` makes a node; a keyword is an input by its name with _ for space, a value is a constant or
    another node's output.
    """

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()

    def add(self, kind: str, *, settings: dict[str, Any] | None = None, **inputs: Any) -> bpy.types.Node:
        """Makes a `ShaderNode...` with properties from `settings` and inputs by name or, as `_0`, by number."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for key, value in (settings or {}).items():
            setattr(node, key, value)
        for key, value in inputs.items():
            socket = node.inputs[int(key[1:])] if key.startswith("_") else node.inputs[key.replace("_", " ")]
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            else:
                socket.default_value = value
        return node

    def attribute(self, name: str) -> bpy.types.Node:
        """Reads a mesh attribute: outputs `Color`, `Vector`, `Fac`."""
        return self.add("Attribute", settings={"attribute_name": name})

    def math(self, operation: str, *values: Any) -> bpy.types.NodeSocket:
        """One arithmetic step on numbers or outputs."""
        return self.add(
            "Math", settings={"operation": operation}, **{f"_{i}": v for i, v in enumerate(values)}
        ).outputs[0]

    def finish(self, surface: bpy.types.NodeSocket) -> bpy.types.Material:
        """Connects the surface and hands the material over."""
        self.add("OutputMaterial", Surface=surface)
        return self.material
