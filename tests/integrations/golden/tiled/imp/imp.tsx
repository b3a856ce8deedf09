<?xml version="1.0" encoding="UTF-8"?>
<tileset version="1.8" tiledversion="1.8.2" name="imp" tilewidth="8" tileheight="8" spacing="2" margin="2" tilecount="4" columns="2">
 <image source="imp.png" width="22" height="22"/>
 <tile id="0" type="imp">
  <properties>
   <property name="name" value="imp_000000"/>
   <property name="score" type="float" value="0.5000"/>
   <property name="slot" type="int" value="0"/>
  </properties>
 </tile>
 <tile id="1" type="imp">
  <properties>
   <property name="name" value="imp_000001"/>
   <property name="score" type="float" value="0.5625"/>
   <property name="slot" type="int" value="1"/>
  </properties>
 </tile>
 <tile id="2" type="imp">
  <properties>
   <property name="name" value="imp_000002"/>
   <property name="score" type="float" value="0.6250"/>
   <property name="slot" type="int" value="2"/>
  </properties>
 </tile>
</tileset>
