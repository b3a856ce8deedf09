using System.Collections.Generic;
using AssetGen;
using UnityEngine;

/// <summary>
/// The smallest game: choose a type with left and right, and space lets a random creature of it appear. It starts by
/// itself in whatever scene is played, an empty one too.
/// </summary>
public sealed class Creatures : MonoBehaviour
{
    private const int Most = 120;

    private readonly Queue<GameObject> creatures = new Queue<GameObject>();
    private SpriteCatalogue catalogue;
    private int chosen;
    private string told = "Press space.";

    [RuntimeInitializeOnLoadMethod]
    private static void Begin()
    {
        new GameObject("Creatures", typeof(Creatures));
        if (Camera.main == null)
        {
            new GameObject("Camera", typeof(Camera)).tag = "MainCamera";
        }
        Camera.main.orthographic = true;
        Camera.main.orthographicSize = 5; // ten creatures high
        Camera.main.transform.position = new Vector3(0, 0, -10);
        Camera.main.clearFlags = CameraClearFlags.SolidColor;
        Camera.main.backgroundColor = new Color(0.16f, 0.15f, 0.21f);
    }

    private void Start()
    {
        catalogue = SpriteCatalogue.Load();
    }

    private void OnGUI()
    {
        if (catalogue == null || catalogue.Groups.Count == 0)
        {
            GUILayout.Label("There are no sprites yet: Assets > AssetGen > Generate…, or `assetgen batch`.");
            return;
        }
        GUILayout.Label("<  " + catalogue.Groups[chosen].label + "  >    " + told);
        var pressed = Event.current.type == EventType.KeyDown ? Event.current.keyCode : KeyCode.None;
        if (pressed == KeyCode.Space)
        {
            Spawn(catalogue.Groups[chosen].type);
        }
        else if (pressed == KeyCode.LeftArrow || pressed == KeyCode.RightArrow)
        {
            var step = pressed == KeyCode.RightArrow ? 1 : catalogue.Groups.Count - 1;
            chosen = (chosen + step) % catalogue.Groups.Count;
        }
    }

    private void Spawn(string type)
    {
        var creature = new GameObject(type, typeof(SpriteRenderer), typeof(GeneratedSprite));
        creature.GetComponent<GeneratedSprite>().Type = type;
        told = creature.GetComponent<SpriteRenderer>().sprite.name;
        var height = Camera.main.orthographicSize - 0.5f;
        var width = height * Camera.main.aspect;
        var y = Random.Range(-height, height);
        creature.transform.position = new Vector3(Random.Range(-width, width), y, y); // the nearer in front
        creatures.Enqueue(creature);
        if (creatures.Count > Most)
        {
            Destroy(creatures.Dequeue());
        }
    }
}
